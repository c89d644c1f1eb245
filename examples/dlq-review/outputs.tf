output "review_table_name" {
  description = "Name of the table with the review items."
  value       = module.review.review_table_name
}
