################################################################################
# Idempotency store: which event has had its effect at which destination, or shall not have it
################################################################################

resource "aws_dynamodb_table" "idempotency" {
  # The functions alone use it; rules that send by themselves have no need of one.
  count = length(local.functions) > 0 ? 1 : 0

  name         = "${var.name}-idempotency"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"

  attribute {
    name = "pk"
    type = "S"
  }

  attribute {
    name = "held_at"
    type = "S"
  }

  attribute {
    name = "held_since"
    type = "N"
  }

  # Key queues in which events are parked or blocked, by destination: the review maintenance and `media-events status` look for them here. Nothing
  # else has these attributes.
  global_secondary_index {
    name               = "by-held"
    hash_key           = "held_at"
    range_key          = "held_since"
    projection_type    = "INCLUDE"
    non_key_attributes = ["parked"]
  }

  ttl {
    attribute_name = "expires"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  # Encrypted with a key that DynamoDB owns where there is no customer managed key: "enabled" alone would mean the key
  # that AWS manages, which costs per request and adds nothing.
  dynamic "server_side_encryption" {
    for_each = var.settings.kms_key[*]

    content {
      enabled     = true
      kms_key_arn = server_side_encryption.value.arn
    }
  }

  tags = var.settings.tags
}
