"""What is wrong with this deployment, and the one next step for each thing."""
