################################################################################
# Review items: failed events that need a person
################################################################################

locals {
  # What lists filter by. A list reads the rest by key: an item has up to 400 KB, and each index would hold, and be charged for, a copy of it. All
  # indexes of a table may name 100 attributes together (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Projection.html).
  filtered = ["destination", "error_code", "failure_class", "hop", "partner", "type"]
}

resource "aws_dynamodb_table" "items" {
  name                        = "${var.name}-items"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "item_id"
  deletion_protection_enabled = var.deletion_protection

  attribute {
    name = "item_id"
    type = "S"
  }

  attribute {
    name = "status"
    type = "S"
  }

  attribute {
    name = "group_status"
    type = "S"
  }

  attribute {
    name = "type_status"
    type = "S"
  }

  attribute {
    name = "partner_status"
    type = "S"
  }

  attribute {
    name = "hop_status"
    type = "S"
  }

  attribute {
    name = "destination_status"
    type = "S"
  }

  attribute {
    name = "register"
    type = "S"
  }

  attribute {
    name = "waiting"
    type = "N"
  }

  attribute {
    name = "event_id"
    type = "S"
  }

  attribute {
    name = "first_failed_at"
    type = "S"
  }

  attribute {
    name = "last_failed_at"
    type = "S"
  }

  attribute {
    name = "closed_at"
    type = "S"
  }

  # Every list of review items is a query of one of these, never a scan.
  global_secondary_index {
    name               = "by-status"
    hash_key           = "status"
    range_key          = "last_failed_at"
    projection_type    = "INCLUDE"
    non_key_attributes = local.filtered
  }

  global_secondary_index {
    name               = "by-group"
    hash_key           = "group_status"
    range_key          = "last_failed_at"
    projection_type    = "INCLUDE"
    non_key_attributes = local.filtered
  }

  global_secondary_index {
    name               = "by-type"
    hash_key           = "type_status"
    range_key          = "last_failed_at"
    projection_type    = "INCLUDE"
    non_key_attributes = local.filtered
  }

  global_secondary_index {
    name               = "by-partner"
    hash_key           = "partner_status"
    range_key          = "last_failed_at"
    projection_type    = "INCLUDE"
    non_key_attributes = local.filtered
  }

  global_secondary_index {
    name               = "by-hop"
    hash_key           = "hop_status"
    range_key          = "last_failed_at"
    projection_type    = "INCLUDE"
    non_key_attributes = local.filtered
  }

  global_secondary_index {
    name               = "by-destination"
    hash_key           = "destination_status"
    range_key          = "last_failed_at"
    projection_type    = "INCLUDE"
    non_key_attributes = local.filtered
  }

  global_secondary_index {
    name               = "by-event"
    hash_key           = "event_id"
    range_key          = "first_failed_at"
    projection_type    = "INCLUDE"
    non_key_attributes = ["ingress", "operation"] # of the audit and of operations
  }

  # The groups' own entries, the one with the most waiting items first. They alone are here, and have no bodies.
  global_secondary_index {
    name            = "by-waiting"
    hash_key        = "register"
    range_key       = "waiting"
    projection_type = "ALL"
  }

  # Items that were closed long ago and may be deleted.
  global_secondary_index {
    name            = "by-closed"
    hash_key        = "status"
    range_key       = "closed_at"
    projection_type = "KEYS_ONLY"
  }

  # Entries that count by the hour, and entries that say which item a message has, expire. Items have no such attribute: the function deletes them.
  ttl {
    enabled        = true
    attribute_name = "expires"
  }

  point_in_time_recovery {
    enabled = true
  }

  # Encrypted with a key that DynamoDB owns where there is no customer managed key: "enabled" alone would mean the key
  # that AWS manages, which costs per request and adds nothing.
  dynamic "server_side_encryption" {
    for_each = local.kms_key

    content {
      enabled     = true
      kms_key_arn = server_side_encryption.value.arn
    }
  }

  tags = var.settings.tags
}

# The types that may be edited. The review service reads them from the table, and no operator policy allows to write them.
resource "aws_dynamodb_table_item" "settings" {
  count = length(var.editable_types) > 0 ? 1 : 0

  table_name = aws_dynamodb_table.items.name
  hash_key   = aws_dynamodb_table.items.hash_key

  item = jsonencode({
    item_id        = { S = "settings/review" }
    editable_types = { S = jsonencode({ for type, rules in var.editable_types : type => rules.schema == null ? null : jsondecode(rules.schema) }) }
  })
}

# Where the review service finds the audit: whoever knows the table knows the bucket, and no policy allows to write this entry.
resource "aws_dynamodb_table_item" "audit" {
  table_name = aws_dynamodb_table.items.name
  hash_key   = aws_dynamodb_table.items.hash_key

  item = jsonencode({
    item_id = { S = "settings/audit" }
    audit   = { S = local.audit.name }
  })
}
