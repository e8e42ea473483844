/** Names in a folder that APT takes packages from. */
export const repositoryFiles = {
  keyring: 'fwbuild-archive-keyring.gpg',
  sources: 'fwbuild.sources',
  pool: 'pool',
} as const

/** Where the advised source looks for the folder and its key. */
export interface RepositoryPlaces {
  readonly folder: string
  readonly keyring: string
}

/**
 * A source in APT's deb822 format (sources.list(5)). The folder is a flat repository: its suite is `./`, and it has
 * no components.
 */
export const repositorySource = ({ folder, keyring }: RepositoryPlaces): string =>
  [
    'Types: deb',
    // A blank would end the address.
    `URIs: file:${folder.replaceAll(' ', '%20')}`,
    'Suites: ./',
    `Signed-By: ${keyring}`,
    '',
  ].join('\n')

/** The template that lies in the folder, to be put into /etc/apt/sources.list.d. */
export const repositoryTemplate = (folder: string): string =>
  [
    '# A source for APT. To use it, as root, from this folder:',
    `#   install -m 644 ${repositoryFiles.keyring} /usr/share/keyrings/`,
    `#   install -m 644 ${repositoryFiles.sources} /etc/apt/sources.list.d/`,
    '#   apt-get update',
    '# The folder must stay where it is, readable by the user _apt.',
    repositorySource({ folder, keyring: `/usr/share/keyrings/${repositoryFiles.keyring}` }),
  ].join('\n')

/** Options of `apt-ftparchive release`, as its manual names them. */
export const releaseOptions: readonly string[] = Object.entries({
  Origin: 'fwbuild',
  Label: 'fwbuild',
  Suite: 'local',
  Architectures: 'amd64',
  Description: 'Kernels made by fwbuild on this machine',
}).flatMap(([name, value]) => ['-o', `APT::FTPArchive::Release::${name}=${value}`])

/** Parameters of a signing key without a passphrase, for `gpg --batch --generate-key`. */
export const keyParameters = (name: string): string =>
  [
    '%no-protection',
    'Key-Type: eddsa',
    'Key-Curve: ed25519',
    'Key-Usage: sign',
    `Name-Real: ${name}`,
    'Expire-Date: 0',
    '%commit',
    '',
  ].join('\n')
