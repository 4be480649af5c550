"""Plants in attributes that PS3.15 Table E.1-1 lists: one row of data each."""

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from corpus.bases import code
from corpus.kinds import register
from corpus.model import Work

__all__: list[str] = []

IMAGES = ("CT", "MR", "PT", "NM", "CR", "DX", "MG", "US", "SC", "ENH")
# keyword, template (fields: corpus.model.Work.fill), one in so many files
_ROWS: tuple[tuple[str, str, int], ...] = (
    ("OtherPatientNames", "{w}^{w2}", 2),
    ("PatientBirthName", "{w}^{w2}", 2),
    ("PatientMotherBirthName", "{w}^{w2}", 2),
    ("MilitaryRank", "Major {w}", 3),
    ("BranchOfService", "Navy {tok}", 3),
    ("CountryOfResidence", "{w}land", 3),
    ("RegionOfResidence", "{w}", 3),
    ("MedicalRecordLocator", "{tok}", 3),
    ("PatientReligiousPreference", "{w}ism", 3),
    ("Occupation", "Baker at {w} Ltd", 3),
    ("EthnicGroup", "{w}", 4),
    ("AdditionalPatientHistory", "Prior stroke, lives with {w} {w2}", 2),
    ("PatientComments", "{name} was seen by Dr. {w}", 2),
    ("MedicalAlerts", "Allergy to penicillin, call {w}", 3),
    ("Allergies", "Latex; reported by {w}", 3),
    ("PatientState", "Ambulant, room of {w}", 3),
    ("ResponsiblePerson", "{w}^{w2}", 3),
    ("ResponsibleOrganization", "{w} Trust", 3),
    ("PatientInstitutionResidence", "{w} Home", 3),
    ("SpecialNeeds", "Interpreter {w}", 3),
    ("LastMenstrualDate", "20190103", 5),
    ("InstitutionName", "{w} Hospital", 1),
    ("InstitutionAddress", "12 {w} Street, {w2}", 2),
    ("InstitutionalDepartmentName", "Radiology {w}", 2),
    ("ReferringPhysicianName", "{w}^{w2}^^Dr.", 1),
    ("ReferringPhysicianAddress", "3 {w} Lane", 3),
    ("ReferringPhysicianTelephoneNumbers", "555-{tok}", 3),
    ("ConsultingPhysicianName", "{w}^{w2}", 3),
    ("PhysiciansOfRecord", "{w}^{w2}", 2),
    ("PerformingPhysicianName", "{w}^{w2}", 2),
    ("NameOfPhysiciansReadingStudy", "{w}^{w2}", 2),
    ("RequestingPhysician", "{w}^{w2}", 2),
    ("OperatorsName", "{w}^{w2}", 2),
    ("ContentCreatorName", "{w}^{w2}", 4),
    ("VerifyingOrganization", "{w} Clinic", 4),
    ("AdmittingDiagnosesDescription", "Pneumonia, {name}", 3),
    ("StationName", "{tok}", 2),
    ("DeviceSerialNumber", "{tok}", 2),
    ("GantryID", "{tok}", 3),
    ("DetectorID", "{tok}", 3),
    ("PlateID", "{tok}", 3),
    ("CassetteID", "{tok}", 3),
    ("GeneratorID", "{tok}", 3),
    ("XRaySourceID", "{tok}", 3),
    ("DeviceDescription", "Scanner of {w}", 4),
    ("StudyID", "{tok}", 2),
    ("AccessionNumber", "{tok}", 1),
    ("AdmissionID", "{tok}", 2),
    ("ServiceEpisodeID", "{tok}", 3),
    ("ServiceEpisodeDescription", "Admission of {w}", 3),
    ("IssuerOfAdmissionID", "{tok}", 4),
    ("CurrentPatientLocation", "Ward {w}", 3),
    ("RequestingService", "{w} Clinic", 3),
    ("ReasonForStudy", "Cough; ref by {w} {w2}", 3),
    ("ReasonForVisit", "Check of {name}", 4),
    ("VisitComments", "Visitor {w} {w2}", 4),
    ("StudyComments", "Compare with {w}'s study", 3),
    ("DischargeDiagnosisDescription", "Fracture, {w}", 5),
    ("AdmittingDate", "20190411", 5),
    ("DestinationAE", "{tok}", 5),
    ("RetrieveAETitle", "{tok}", 3),
    ("StationAETitle", "{tok}", 4),
    ("ScheduledStationName", "{tok}", 5),
    ("ScheduledStationAETitle", "{tok}", 5),
    ("ScheduledPerformingPhysicianName", "{w}^{w2}", 5),
    ("PerformedStationAETitle", "{tok}", 5),
    ("PerformedStationName", "{tok}", 5),
    ("PerformedLocation", "Room {w}", 5),
    ("PerformedProcedureStepID", "{tok}", 3),
    ("CommentsOnThePerformedProcedureStep", "Patient {w} moved", 3),
    ("PreMedication", "Given by {w}", 5),
    ("NamesOfIntendedRecipientsOfResults", "{w}^{w2}", 4),
    ("ImagingServiceRequestComments", "Call {w} {w2}", 4),
    ("IssueDateOfImagingServiceRequest", "20190312", 6),
    ("OrderEnteredBy", "{w}^{w2}", 4),
    ("OrderEntererLocation", "Desk {w}", 4),
    ("OrderCallbackPhoneNumber", "+49 30 {tok}", 4),
    ("PlacerOrderNumberImagingServiceRequest", "{tok}", 3),
    ("FillerOrderNumberImagingServiceRequest", "{tok}", 3),
    ("ConfidentialityConstraintOnPatientDataDescription", "Only {w}", 5),
    ("RequestedProcedureID", "{tok}", 4),
    ("RequestedProcedureLocation", "Room {w}", 4),
    ("RequestedProcedureComments", "Ask {w}", 4),
    ("ReasonForTheRequestedProcedure", "Pain, says {w}", 4),
    ("PatientTransportArrangements", "Taxi {w}", 4),
    ("AcquisitionComments", "Breath hold; tech {w}", 3),
    ("FrameComments", "Frame shown to {w}", 4),
    ("InterpretationText", "Read by {w}", 5),
    ("InterpretationAuthor", "{w}^{w2}", 5),
    ("InterpretationTranscriber", "{w}^{w2}", 5),
    ("DistributionName", "{w}^{w2}", 5),
    ("DistributionAddress", "5 {w} Way", 5),
    ("Impressions", "No change since Dr. {w} {w2}", 5),
    ("ResultsComments", "Told {name}", 5),
    ("TextComments", "Marked by {w}", 5),
    ("TextString", "{w}", 6),
    ("PersonName", "{w}^{w2}", 5),
    ("PersonAddress", "8 {w} Row", 6),
    ("PersonTelephoneNumbers", "{tok}", 6),
    ("InterpretationRecorder", "{w}^{w2}", 6),
    ("ReviewerName", "{w}^{w2}", 5),
    ("ContactDisplayName", "{w}", 6),
    ("ClinicalTrialSponsorName", "{w} Pharma", 4),
    ("ClinicalTrialProtocolID", "{tok}", 4),
    ("ClinicalTrialSiteName", "{w} Site", 4),
    ("ClinicalTrialSubjectID", "{tok}", 4),
    ("ClinicalTrialCoordinatingCenterName", "{w}", 5),
    ("UniformResourceLocatorTypeCodeSequence", "", 9),
    ("MultiplexGroupLabel", "{w}", 6),
    ("TreatmentMachineName", "{tok}", 5),
    ("ContributionDescription", "Sent by {w}", 5),
)


def _row(keyword: str, template: str, every: int) -> None:
    tag = tag_for_keyword(keyword)
    if tag is None or not template:
        return
    vr = dictionary_VR(tag)
    if vr in {"SH", "CS", "AE"} and not template.isdigit():
        template = "{tok}" if "{tok}" in template else "{w}"  # no room for more

    def plant(w: Work) -> bool:
        place = f"{tag:08X}"
        text = w.fill(template, place)
        if template.isdigit():
            w.plant(text, place, "exact")
        w.ds.add_new(tag, vr, text)
        return True

    register(f"attribute.{keyword}", plant, every=every)


for _keyword, _template, _every in _ROWS:
    _row(_keyword, _template, _every)


def _own(keyword: str, field: str, every: int) -> None:
    """Register an attribute that holds one of the person's own values."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise ValueError(keyword)

    def plant(w: Work) -> bool:
        value = str(getattr(w.person, field))
        w.ds.add_new(tag, dictionary_VR(tag), value)
        w.plant(value, f"{tag:08X}")
        return True

    register(f"attribute.{keyword}", plant, every=every)


for _keyword, _field, _every in (
    ("IssuerOfPatientID", "issuer", 2),
    ("OtherPatientIDs", "other_id", 2),
    ("PatientTelephoneNumbers", "phone", 2),
    ("PatientTelecomInformation", "email", 3),
    ("InsurancePlanIdentification", "insurer", 3),
):
    _own(_keyword, _field, _every)


def _address(w: Work) -> bool:
    w.ds.PatientAddress = f"{w.person.street}, {w.person.town}"
    w.plant(w.person.street, "00101040")
    w.plant(w.person.town, "00101040")
    return True


def _other_ids(w: Work) -> bool:
    item = Dataset()
    item.PatientID, item.TypeOfPatientID = w.person.other_id, "TEXT"
    item.IssuerOfPatientID = w.fill("{tok}", "00101002")
    w.plant(w.person.other_id, "00101002")
    w.ds.OtherPatientIDsSequence = Items([item])
    return True


def _coded(keyword: str) -> None:
    tag = tag_for_keyword(keyword)

    def plant(w: Work) -> bool:
        item = code(w.fill("{tok}", f"{tag:08X}"), "99LOCAL", w.fill("{w} {w2}", f"{tag:08X}"))
        setattr(w.ds, keyword, Items([item]))
        return True

    register(f"attribute.{keyword}", plant, every=3)


def _identified(keyword: str) -> None:
    tag = tag_for_keyword(keyword)

    def plant(w: Work) -> bool:
        place, item = f"{tag:08X}", Dataset()
        item.PersonIdentificationCodeSequence = Items(
            [code(w.fill("{tok}", place), "99ID", w.fill("{w}", place))]
        )
        item.PersonAddress = w.fill("4 {w} Alley", place)
        item.InstitutionName = w.fill("{w} Institute", place)
        setattr(w.ds, keyword, Items([item]))
        return True

    register(f"attribute.{keyword}", plant, every=3)


register("attribute.PatientAddress", _address, every=2)
register("attribute.OtherPatientIDsSequence", _other_ids, every=3)
for _keyword in (
    "InstitutionCodeSequence",
    "InstitutionalDepartmentTypeCodeSequence",
    "PatientInsurancePlanCodeSequence",
    "PatientPrimaryLanguageCodeSequence",
    "AdmittingDiagnosesCodeSequence",
):
    _coded(_keyword)
for _keyword in (
    "ReferringPhysicianIdentificationSequence",
    "PhysiciansOfRecordIdentificationSequence",
    "PerformingPhysicianIdentificationSequence",
    "PhysiciansReadingStudyIdentificationSequence",
    "OperatorIdentificationSequence",
    "RequestingPhysicianIdentificationSequence",
):
    _identified(_keyword)
