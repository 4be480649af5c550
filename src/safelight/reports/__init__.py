"""Reports: a reading in plain words, as a page, a PDF, DICOM and FHIR; never more than it says."""
