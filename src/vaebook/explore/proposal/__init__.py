"""Importance sampling with a proposal moved by hand."""

from vaebook.explore.proposal.explorer import ProposalExplorer

__all__ = ["ProposalExplorer"]
