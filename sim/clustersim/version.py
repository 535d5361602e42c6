"""The version of clustersim: the only place that states it."""

VERSION = "0.2.0"
