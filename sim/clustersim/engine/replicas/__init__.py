"""The job: replicas that train together and recover one by one; a job of one replica restarts whole."""
