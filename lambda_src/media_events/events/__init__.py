"""Steps 2 and 3: CloudEvents, the publisher and the claim check (EIP: Envelope Wrapper, Claim Check)."""
