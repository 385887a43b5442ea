"""Training of the learned score source: data, targets and the loop. The app does not need it."""
