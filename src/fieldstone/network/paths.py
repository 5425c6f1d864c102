"""Paths of blocks and modules, as the names of tensors begin with them."""


def is_inside(path: str, block: str) -> bool:
    """Whether a path, or a tensor's name, is that of a block or of something in it."""
    return path == block or path.startswith(f"{block}.")
