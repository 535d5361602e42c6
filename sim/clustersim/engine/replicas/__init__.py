"""The job of replicas that fail and recover one by one; a job of one replica restarts as a whole."""
