# NumPy's archive of mu and sigma, as pytorch-fid writes it: statistics.py OUT (NumPy 2).
import sys

import numpy as np

np.savez(sys.argv[1], mu=np.array([1.0, 2.0]), sigma=np.array([[1.0, 0.5], [0.5, 2.0]]))
