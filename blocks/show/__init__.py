"""To look at a network.

python -m blocks.show resnet50                                        as a table, block by block
python -m blocks.show winner.yaml --input 3x32x32 --diff resnet20     what sets two apart, and what it costs
python -m blocks.show resnet50 --svg resnet50.svg                     drawn
python -m blocks.show resnet50 --check                                what one batch says about it
"""

from blocks.show.command import main

__all__ = ["main"]
