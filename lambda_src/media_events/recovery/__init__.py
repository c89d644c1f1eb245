"""Step 7: dead letter → redrive → review item (EIP: Dead Letter Channel, Invalid Message Channel)."""
