"""Stripe's account objects: what they say, and the programs that their requirements live under."""
