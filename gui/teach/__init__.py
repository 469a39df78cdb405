"""The screens of teaching: samples, fit, calibration, versions."""
