"""What may stand in a CDA record: names of elements, fixed terms, forms of values.

Source: HL7 Clinical Document Architecture Release 2 (POCD_MT000040), HL7 V3 data types R1.
"""

import re
from typing import Final

__all__ = [
    "BOOLEANS",
    "CHARACTERISTICS",
    "CODE",
    "DROPPED",
    "ELEMENTS",
    "FIXED",
    "MASKED",
    "NUMBER",
    "PUBLIC_CODE",
    "PUBLIC_ROOTS",
    "TERMS",
    "TIMES",
    "TYPES",
    "UNIT",
    "WORDS",
]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Elements that may stand. An element of another name is dropped whole: a name can be a message.
ELEMENTS: Final = _words(
    """
    ClinicalDocument realmCode typeId templateId id code title effectiveTime
    confidentialityCode languageCode setId versionNumber copyTime recordTarget
    patientRole patient author dataEnterer informant custodian informationRecipient
    legalAuthenticator authenticator participant inFulfillmentOf documentationOf
    relatedDocument authorization componentOf component assignedAuthor assignedEntity
    assignedPerson assignedAuthoringDevice assignedCustodian representedOrganization
    representedCustodianOrganization providerOrganization receivedOrganization
    scopingOrganization wholeOrganization asOrganizationPartOf intendedRecipient
    relatedEntity relatedPerson associatedEntity associatedPerson relatedSubject order
    serviceEvent parentDocument consent encompassingEncounter responsibleParty
    encounterParticipant location healthCareFacility serviceProviderOrganization
    asMaintainedEntity maintainingPerson structuredBody nonXMLBody section entry
    entryRelationship act encounter observation observationMedia observationRange
    organizer procedure regionOfInterest substanceAdministration supply subject
    performer specimen specimenRole specimenPlayingEntity consumable product
    manufacturedProduct manufacturedMaterial manufacturedLabeledDrug
    manufacturerOrganization participantRole playingDevice playingEntity scopingEntity
    reference externalAct externalDocument externalObservation externalProcedure
    precondition criterion referenceRange interpretationCode name given family prefix
    suffix delimiter addr telecom streetAddressLine streetName houseNumber
    houseNumberNumeric city county state postalCode country precinct unitID
    additionalLocator direction unitType careOf censusTract deliveryAddressLine postBox
    buildingNumberSuffix useablePeriod validTime desc administrativeGenderCode birthTime
    maritalStatusCode religiousAffiliationCode raceCode ethnicGroupCode guardian
    guardianPerson guardianOrganization birthplace place languageCommunication modeCode
    proficiencyLevelCode preferenceInd deceasedInd deceasedTime multipleBirthInd
    multipleBirthOrderNumber standardIndustryClassCode functionCode signatureCode
    signatureText time low high center width statusCode priorityCode value originalText
    translation qualifier methodCode targetSiteCode approachSiteCode routeCode
    doseQuantity rateQuantity maxDoseQuantity administrationUnitCode repeatNumber
    quantity independentInd expectedUseTime uncertaintyInd sequenceNumber seperatableInd
    text thumbnail softwareName manufacturerModelName lotNumberText numerator
    denominator period phase offset event comp head tail dischargeDispositionCode
    admissionReferralSourceCode negationInd awarenessCode content paragraph list item
    table thead tbody tfoot tr th td col colgroup caption br sub sup footnote
    footnoteRef linkHtml renderMultiMedia
    """
)
#: People and organisations by name, place and number: emptied wherever they stand.
MASKED: Final = frozenset({"addr", "telecom", "name", "signatureText", "lotNumberText"})
#: Facts about the person that no reading of the document needs.
DROPPED: Final = _words(
    """
    birthTime birthplace guardian maritalStatusCode religiousAffiliationCode
    deceasedTime multipleBirthOrderNumber thumbnail
    """
)
#: Elements whose ``value`` is a point in time, and whose ``low`` and ``high`` are.
TIMES: Final = _words(
    """
    effectiveTime time copyTime expectedUseTime awarenessTime validTime
    """
)
#: Names in the body that name a substance or a device, so that words are kept if harmless.
WORDS: Final = frozenset({"manufacturedMaterial", "manufacturedLabeledDrug", "playingEntity"})

_ACTS: Final = """
    ACT ACCM CONS CTTEVENT INC INFRM LIST MPROT PCPR REG SPCTRT OBS ALRT CLNTRL CNOD COND DGIMG
    INVSTG SPCOBS ENC PROC SBADM SPLY TRNS CLUSTER BATTERY EXTRACT EHR ORGANIZER DOC DOCCLIN
    CDALVLONE DOCSECT DOCBODY ROIBND ROIOVL PAT ASSIGNED ORG PSN DEV MANU MMAT PLC ENT LIV NLIV ANM
    MIC PLNT CONT HOLD MAT CHEM FOOD HCE ISDLOC SDLOC SERVSDLOC DSDLOC BIRTHPL GUARD PRS ECON AGNT
    CAREGIVER COVPTY POLHOLD CIT EMP NOT QUAL SPEC THER ADMM DST RET ACCESS SUBJ LOCE PART MNT
    NOK TERR ROL
"""
_MOODS: Final = "EVN INT DEF ARQ PRMS PRP RQO APT GOL EVN.CRT"
_LINKS: Final = """
    AUT AUTHEN LA ENT INF CST RCT IRCP PRCP TRC DIR VRF PRF PPRF SPRF DEV PRD SBJ SPC LOC DST ELOC
    ORG RML VIA CSM CAGNT BEN COV HLD HOLD REF REFT REFB REFV ATND ADM CON DIS CALLBCK ESC DIST NRD
    RDV TPA WIT RESP NOT CAUS COMP DRIV GEVL MFST REFR RSON SAS SPRT SUBJ XCRPT RPLC APND XFRM
    COVBY FLFS OCCR PREV SUMM UPDT OPTN PERT GOAL STRT RIDC ELNK ITEMSLOC IND RCV
"""
#: Attributes that hold one of a fixed list of terms; with another value they are dropped.
TERMS: Final = {
    name: _words(terms)
    for name, terms in {
        "classCode": _ACTS,
        "moodCode": _MOODS,
        "typeCode": _LINKS,
        "determinerCode": "INSTANCE KIND QUANTIFIED_KIND",
        "nullFlavor": "NI OTH NINF PINF UNK ASKU NAV NASK TRC MSK NA NP QS",
        "contextControlCode": "OP AN AP ON",
        "operator": "I E A H P",
        "representation": "TXT",
        "mediaType": "text/plain text/x-hl7-text+xml",
        "listType": "ordered unordered",
        "align": "left center right justify char",
        "valign": "top middle bottom baseline",
        "border": "0 1 2",
        "rules": "none groups rows cols all",
        "frame": "void above below hsides lhs rhs vsides box border",
        "styleCode": "Bold Underline Italics Emphasis Lrule Rrule Toprule Botrule Arabic"
        " LittleRoman BigRoman LittleAlpha BigAlpha Disc Circle Square xRowGroup xcellHeader",
    }.items()
}
BOOLEANS: Final = _words(
    """
    negationInd inversionInd contextConductionInd independentInd uncertaintyInd
    inclusive institutionSpecified
    """
)
#: Data types that ``xsi:type`` may name.
TYPES: Final = _words(
    """
    CD CE CV CO CS CR PQ PQR IVL_PQ RTO RTO_PQ_PQ INT IVL_INT REAL IVL_REAL BL TS IVL_TS
    PIVL_TS EIVL_TS SXCM_TS SXPR_TS ST ED II MO
    """
)
#: Arcs of object identifiers that name code systems and templates, never an organisation's own.
PUBLIC_ROOTS: Final = re.compile(
    r"2\.16\.840\.1\.113883\.(?:1|5|6|10|11)(?:\.\d{1,10}){1,8}"
    r"|1\.2\.840\.10008(?:\.\d{1,6}){1,8}"
    r"|1\.3\.6\.1\.4\.1\.19376(?:\.\d{1,6}){1,12}"
)
#: Facts that stay where patients' characteristics are retained.
CHARACTERISTICS: Final = frozenset(
    {"administrativeGenderCode", "raceCode", "ethnicGroupCode", "deceasedInd"}
)
#: Codes that stand without a code system.
FIXED: Final = {
    "statusCode": _words("active completed aborted cancelled held new suspended nullified normal"),
}
CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,19}")
#: How codes of published systems look (LOINC, SNOMED CT, ICD, RxNorm, HL7's own short ones).
PUBLIC_CODE: Final = re.compile(r"[A-Z]{0,6}[-.]?\d[\dA-Z.-]{0,18}|[A-Z]{1,4}")
NUMBER: Final = re.compile(r"[+-]?\d{1,9}(?:\.\d{1,9})?(?:[eE][+-]?\d{1,2})?")
UNIT: Final = re.compile(r"[A-Za-z0-9/*.^%'\[\]_{}()+-]{1,24}")
