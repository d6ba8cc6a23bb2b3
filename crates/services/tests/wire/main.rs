//! The services over their real SDK clients, against a server in this process that answers as AWS does.

#[cfg(test)]
mod comprehend;
#[cfg(test)]
mod rekognition;
#[cfg(test)]
mod server;
#[cfg(test)]
mod textract;
#[cfg(test)]
mod track;
#[cfg(test)]
mod transcribe;
#[cfg(test)]
mod world;
