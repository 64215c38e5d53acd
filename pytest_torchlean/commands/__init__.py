"""The subcommands of `torchlean`, one file each, imported when they run."""
