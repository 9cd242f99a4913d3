"""Networks that judge: they learn on real tiles of the training regions."""
