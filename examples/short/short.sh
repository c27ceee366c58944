#!/bin/sh
# Ends within 20 ms of its start. Its figures are as exact as those of a job that runs for a day.
echo "gone before you look"
