"""One thread a test process: small networks gain nothing from more, and the suite's processes share two cores."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
