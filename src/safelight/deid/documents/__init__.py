"""Documents: PDF files and CDA records, rewritten from what was understood and nothing else."""
