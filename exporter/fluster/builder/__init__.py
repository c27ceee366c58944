"""Builders make what a job runs in: images for docker, virtual environments for processes."""
