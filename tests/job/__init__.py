"""What a job file may say, and what it is told when it says something else."""
