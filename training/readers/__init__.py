"""The readers that the package carries: fixed parts, heads, calibration and cards."""
