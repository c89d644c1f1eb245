output "review_table_name" {
  description = "Name of the table with the review items."
  value       = aws_dynamodb_table.items.name
}

output "review_table_arn" {
  description = "ARN of the table with the review items."
  value       = aws_dynamodb_table.items.arn
}

output "topic_arn" {
  description = "ARN of the topic that tells of new review items; subscribe people to it."
  value       = aws_sns_topic.review.arn
}

output "bodies_uri" {
  description = "Where bodies too large for the table are: `s3://<bucket>/<prefix>/`."
  value       = "s3://${local.bucket.name}/${local.bodies_prefix}"
}

output "bodies_arn" {
  description = "ARN pattern of those bodies, for the policy of who reads them."
  value       = "${local.bucket.arn}/${local.bodies_prefix}*"
}

output "function_name" {
  description = "Name of the re-drive function."
  value       = module.function.function_name
}

output "log_group_name" {
  description = "Name of the function's log group."
  value       = module.function.log_group_name
}

output "operator_policies" {
  description = "IAM policies (JSON) for the people at the review desk: `metadata` shows items without what their events carry, the deployment's status and an event's trace, `read` shows them whole, `replay` sends items again, `edit` sends them corrected, `administer` archives and restores them, for which it may send to the queues of routes that keep an order. The last three include reading and notes. With `archive_arn` also `replay_archive`, which delivers past events once more where that has not happened yet, and `repeat_effects`, which may have it happen again."
  value       = { for name, statements in local.operator_statements : name => jsonencode({ Version = "2012-10-17", Statement = statements }) }
}
