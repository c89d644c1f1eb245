variable "name" {
  description = "Prefix of every name."
  type        = string
  default     = "media-example"
}

variable "catalogue_url" {
  description = "Where the route `catalogue` posts events."
  type        = string
  default     = "https://catalogue.example.com/events"
}

variable "catalogue_private_cidrs" {
  description = "Private networks that the catalogue's address may be in."
  type        = list(string)
  default     = []
}

variable "deletion_protection" {
  description = "Whether the review table refuses to be deleted."
  type        = bool
  default     = true
}

variable "permissions_boundary_arn" {
  description = "Permissions boundary of every role."
  type        = string
  default     = null
}

variable "role_path" {
  description = "Path of every role."
  type        = string
  default     = "/"
}

variable "vpc" {
  description = "Subnets and security groups of every function; null leaves them outside any VPC."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null
}
