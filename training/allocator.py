"""How much memory a CPU keeps beside tensors in use: what tensors have left, and compiled products."""

import ctypes
import os

# From glibc's malloc.h. Setting the threshold also ends its growth, which is what keeps memory.
_M_MMAP_THRESHOLD = -3
LARGE_BLOCK_BYTES = 1 << 20
# More than the different products of one step; each layer repeats them.
PRODUCT_CACHES = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64", "LRU_CACHE_CAPACITY": "64"}


def bound_product_caches() -> None:
    """Let oneDNN and torch keep few compiled products; they read this when torch is loaded.

    Each step has a length of its own, so its bfloat16 products are compiled anew. By default a
    thousand are kept by each: measured, a model of 10 million weights grew by 16 MB a step without
    end in sight, and with this bound by nothing, at the same speed.
    """
    for name, value in PRODUCT_CACHES.items():
        os.environ.setdefault(name, value)


def return_large_blocks() -> bool:
    """Give memory of large tensors back to the system as soon as they are gone.

    By default glibc raises the size from which a block is mapped on its own to that of the largest
    block ever freed, up to 32 MiB. Activations then lie on one heap, which small tensors that live
    longer keep from shrinking: measured, a step with gradient checkpointing took three to four times
    the memory that was in use, a plain step a third more.

    Returns:
        Whether the C library knows the setting; others than glibc do not.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES) == 1
