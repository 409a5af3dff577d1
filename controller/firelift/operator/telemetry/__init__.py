"""What the operator tells machines: logs as JSON lines, and metrics with bounded labels."""
