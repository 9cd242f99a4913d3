"""Networks that learn elevation -> imagery: numpy, torch and safetensors only."""
