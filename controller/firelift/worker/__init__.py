"""What a Job's pod runs: one worker of one run. It has no access to Kubernetes, only to the database."""
