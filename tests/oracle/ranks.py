"""The order of completions at one instant; repairs by mode, the forming of a group after everything else."""

STAGE, REPAIR, BOUGHT, TARGET, SAVE, DURABLE, WINDOW, STALL, NOTICED, FORM = range(10)
