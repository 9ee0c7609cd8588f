"""The tensors of these tests are tiny: threads would only wait for each other."""

import os

# before torch is imported, and for the processes that tests start
os.environ.setdefault("OMP_NUM_THREADS", "1")
