"""Whether random numbers can be compared with LibTorch's, number by number."""
import torch


def draws_as_elsewhere():
    """Whether LibTorch draws all random numbers from its own generator. With MKL, on processors of Intel, some come
    from another one (docs/Random.md)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        drawn = torch.empty(24).bernoulli_(0.5).int().tolist()
    return drawn == [0, 0, 1, 0, 0, 0, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 0, 1, 0, 1, 0]
