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
