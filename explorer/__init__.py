"""RPN Explorer: see what each parameter of a Region Proposal Network does."""
