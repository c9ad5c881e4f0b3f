"""The gap ledger: what a Gaussian q misses of log p(x), and why."""

from vaebook.explore.ledger.explorer import LedgerExplorer

__all__ = ["LedgerExplorer"]
