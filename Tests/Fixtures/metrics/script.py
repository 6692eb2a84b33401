# A TorchScript file, which is refused with a hint: script.py OUT (PyTorch 2.13).
import sys

import torch


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.c = torch.nn.Conv2d(3, 4, 1)

    def forward(self, x):
        return self.c(x)


torch.jit.save(torch.jit.trace(Network(), torch.zeros(1, 3, 2, 2)), sys.argv[1])
