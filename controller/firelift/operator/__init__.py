"""The kopf application that walks rollouts through their phases."""
