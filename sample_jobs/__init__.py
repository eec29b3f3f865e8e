"""Job files that a newcomer can run, installed as `auditor_sample_jobs`."""
