"""``python -m blocks.show``"""

import sys

from blocks.show.command import main

if __name__ == "__main__":
    sys.exit(main())
