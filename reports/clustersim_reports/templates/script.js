"use strict";
(async () => {
  const PRINT_WIDTH = 660;
  const NARROW = 520;
  const SHOWN_ROWS = 500;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const config = JSON.parse(document.getElementById("config").textContent);
  const plots = [...document.querySelectorAll("[data-figure]")];
  const folded = [];
  let payload;
  let printing = false;

  async function unpack(element) {
    const packed = atob(element.textContent.trim());
    const bytes = Uint8Array.from(packed, (letter) => letter.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  }

  /* Put packed parts of the page in their place; those inside another are there once that is unpacked. */
  async function place(selector) {
    for (let one; (one = document.querySelector(selector)); ) one.outerHTML = await unpack(one);
  }

  /* A copy of a figure in the colours of the reader's theme: every light colour is replaced by its partner.
     On paper the figures' own background would print as a grey box. */
  function themed(value) {
    const colours = printing ? { [payload.paper]: "#ffffff" } : dark.matches ? payload.dark : {};
    if (typeof value === "string") return colours[value] ?? value;
    if (Array.isArray(value)) return value.map(themed);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, themed(inner)]));
  }

  function draw(plot) {
    const figure = payload.figures[plot.dataset.figure];
    const layout = themed(figure.layout);
    if (printing) layout.width = PRINT_WIDTH;
    const narrow = !printing && plot.clientWidth < NARROW;
    for (const one of layout.annotations ?? []) if (one.name === "wide") one.visible = !narrow;
    return Plotly.react(plot, themed(figure.data), layout, { ...config, responsive: !printing });
  }

  function save(name, content, type) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  /* Text that a spreadsheet would take for a formula gets an apostrophe. */
  function csvCell(value) {
    const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value ?? "");
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }

  function csv([columns, rows]) {
    return [columns, ...rows].map((row) => row.map(csvCell).join(",") + "\r\n").join("");
  }

  function fill(box, [columns, rows]) {
    const table = document.createElement("table");
    const head = table.createTHead().insertRow();
    for (const column of columns) {
      const cell = head.appendChild(document.createElement("th"));
      cell.scope = "col";
      cell.textContent = column;
    }
    const body = table.createTBody();
    for (const row of rows.slice(0, SHOWN_ROWS)) {
      const line = body.insertRow();
      for (const value of row) line.insertCell().textContent = value ?? "—";
    }
    box.replaceChildren(table);
    if (rows.length > SHOWN_ROWS) box.append(`The first ${SHOWN_ROWS} of ${rows.length} rows; the CSV holds all.`);
  }

  /* The whole of a text, of which the page may show the beginning only. */
  function whole(name) {
    return payload?.texts[name] ?? document.getElementById(name).textContent;
  }

  async function copy(button) {
    const source = document.getElementById(button.dataset.copy);
    getSelection().selectAllChildren(source);
    try {
      await navigator.clipboard.writeText(whole(button.dataset.copy));
    } catch {
      source.textContent = whole(button.dataset.copy);
      getSelection().selectAllChildren(source);
      document.execCommand("copy");
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  }

  async function showAll(note) {
    const rest = note.previousElementSibling.querySelector(".packed");
    rest.outerHTML = await unpack(rest);
    note.remove();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const { csv: table, picture, copy: text, save: file, rows } = button.dataset;
    if (rows !== undefined) showAll(button.parentElement);
    if (text) copy(button);
    if (file) save(button.dataset.file, whole(file), "text/yaml");
    if (table && payload) save(`${table}.csv`, csv(payload.figures[table].table), "text/csv");
    if (picture && payload) {
      const plot = plots.find((one) => one.dataset.figure === picture);
      const size = { width: plot.clientWidth, height: plot.clientHeight };
      Plotly.downloadImage(plot, { format: "png", scale: 2, filename: picture, ...size });
    }
  });

  document.addEventListener("toggle", (event) => {
    const name = event.target.dataset?.numbers;
    const box = event.target.querySelector?.(".scroll");
    if (name && payload && event.target.open && !box.hasChildNodes()) fill(box, payload.figures[name].table);
  }, true);

  /* Where a table is wider than its place, a line above it says so until its last column is seen. */
  function cue(box) {
    box.classList.toggle("wide", box.scrollWidth > box.clientWidth + 1);
    box.classList.toggle("end", box.scrollLeft + box.clientWidth >= box.scrollWidth - 1);
  }
  const widths = new ResizeObserver((changes) => changes.forEach(({ target }) => cue(target)));
  document.addEventListener("scroll", ({ target }) => target.classList?.contains("scroll") && cue(target), true);
  function watch() {
    for (const box of document.querySelectorAll(".scroll")) widths.observe(box);
  }

  function print(begins) {
    printing = begins;
    if (begins) folded.push(...document.querySelectorAll("details.input:not([open])"));
    for (const one of begins ? folded : folded.splice(0)) one.open = begins;
    if (payload) plots.forEach(draw);
  }
  addEventListener("beforeprint", () => print(true));
  addEventListener("afterprint", () => print(false));

  watch();
  try {
    const code = document.createElement("script");
    code.nonce = document.querySelector("script[nonce]").nonce;
    code.textContent = await unpack(document.getElementById("plotly"));
    document.head.append(code);
    payload = JSON.parse(await unpack(document.getElementById("payload")));
    for (const plot of plots) {
      await draw(plot);
      await new Promise((next) => setTimeout(next));
    }
    await place("[data-packed] > .packed");
    watch();
    for (const query of [dark, matchMedia(`(max-width: ${NARROW}px)`)]) query.addEventListener("change", () => plots.forEach(draw));
    document.documentElement.dataset.figures = "drawn";
  } catch (error) {
    for (const plot of plots) plot.textContent = "This browser cannot draw the figures; the tables hold their numbers.";
    document.documentElement.dataset.figures = "failed";
    console.error(error);
  }
})();
