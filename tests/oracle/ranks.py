"""The order of completions at one instant; repairs by mode, the forming of a group after everything else."""

STALL, STAGE, REPAIR, BOUGHT, TARGET, SAVE, DURABLE, WINDOW, NOTICED, FORM = range(10)
