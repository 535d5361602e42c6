"""The order of completions at one instant: stages by replica, repairs by mode, then as in this list."""

STALL, STAGE, REPAIR, BOUGHT, KEPT, TARGET, SAVE, DURABLE, WINDOW, READY, NOTICED, FORM = range(12)
NEXT = 1e-6  # between the replicas or modes of one rank
