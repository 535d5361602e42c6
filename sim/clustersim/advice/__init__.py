"""What the numbers mean, in sentences: the verdict, what costs most, and what to be careful about.

Each sentence is a typed value with the numbers that it was made from; commands and reports only print them.
"""

from clustersim.advice.rules import advise, largest_loss, unmet, verdict
from clustersim.advice.words import Advice, Topic

__all__ = ["Advice", "Topic", "advise", "largest_loss", "unmet", "verdict"]
