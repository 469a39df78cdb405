"""From good pictures to a threshold: samples, fit, calibration, versions.

Judging parts is in `inspection`.
"""
