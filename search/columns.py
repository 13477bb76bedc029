"""The columns of results.csv and epochs.csv that every study has; a factor may not take the name of one."""

from __future__ import annotations

FIXED_COLUMNS = [
    "trial",
    "arm",
    "seed",
    "match",
    "tuned",
    "phase",
    "status",
    "reason",
    "train_accuracy",
    "train_loss",
    "val_accuracy",
    "val_loss",
    "test_accuracy",
    "epochs_to_target",
    "macs",
    "params",
    "activations",
    "inner_channels",
    "out_channels",
    "epochs",
    "train_seconds",
    "images_per_second",
    "peak_memory",
    "threads",
]

EPOCH_COLUMNS = [
    "trial",
    "arm",
    "seed",
    "phase",
    "epoch",
    "train_loss",
    "train_accuracy",
    "val_loss",
    "val_accuracy",
    "train_top5",
    "val_top5",
    "lr",
    "seconds",
]
