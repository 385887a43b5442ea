"""Plotly figures: pure functions of what the core computed."""
