"""What people look at: plots, boards, cards."""
