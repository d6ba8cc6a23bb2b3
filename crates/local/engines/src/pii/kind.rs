//! The types of personal data, under Comprehend's names. Types that no rule here finds are left out.

macro_rules! pii_types {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// A type of personal data that the rules can find.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum PiiType {
            $(#[doc = concat!("`", $name, "`")] $variant),+
        }

        impl PiiType {
            /// Every type.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Comprehend's name of the type.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

pii_types! {
    Address = "ADDRESS",
    Age = "AGE",
    AwsAccessKey = "AWS_ACCESS_KEY",
    AwsSecretKey = "AWS_SECRET_KEY",
    BankAccountNumber = "BANK_ACCOUNT_NUMBER",
    BankRouting = "BANK_ROUTING",
    CaHealthNumber = "CA_HEALTH_NUMBER",
    CaSocialInsuranceNumber = "CA_SOCIAL_INSURANCE_NUMBER",
    CreditDebitCvv = "CREDIT_DEBIT_CVV",
    CreditDebitExpiry = "CREDIT_DEBIT_EXPIRY",
    CreditDebitNumber = "CREDIT_DEBIT_NUMBER",
    DateTime = "DATE_TIME",
    DriverId = "DRIVER_ID",
    Email = "EMAIL",
    InAadhaar = "IN_AADHAAR",
    InPermanentAccountNumber = "IN_PERMANENT_ACCOUNT_NUMBER",
    InVoterNumber = "IN_VOTER_NUMBER",
    InternationalBankAccountNumber = "INTERNATIONAL_BANK_ACCOUNT_NUMBER",
    IpAddress = "IP_ADDRESS",
    LicensePlate = "LICENSE_PLATE",
    MacAddress = "MAC_ADDRESS",
    Name = "NAME",
    PassportNumber = "PASSPORT_NUMBER",
    Password = "PASSWORD",
    Phone = "PHONE",
    Pin = "PIN",
    Ssn = "SSN",
    SwiftCode = "SWIFT_CODE",
    UkNationalHealthServiceNumber = "UK_NATIONAL_HEALTH_SERVICE_NUMBER",
    UkNationalInsuranceNumber = "UK_NATIONAL_INSURANCE_NUMBER",
    UkUniqueTaxpayerReferenceNumber = "UK_UNIQUE_TAXPAYER_REFERENCE_NUMBER",
    Url = "URL",
    UsIndividualTaxIdentificationNumber = "US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER",
    Username = "USERNAME",
    VehicleIdentificationNumber = "VEHICLE_IDENTIFICATION_NUMBER",
}
