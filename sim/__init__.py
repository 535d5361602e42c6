"""clustersim: a discrete-event simulator of GPU training clusters."""
