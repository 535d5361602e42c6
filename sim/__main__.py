"""`python -m sim` is `clustersim`."""

from sim.cli import main

if __name__ == "__main__":
    main()
